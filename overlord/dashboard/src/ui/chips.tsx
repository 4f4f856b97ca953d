/** A choice of one among a few, or of all of them (undefined). Each is a button that says whether it is pressed. */
export function Chips<T extends string>({
  label,
  options,
  chosen,
  onChoose,
}: {
  label: string;
  options: readonly { readonly value: T; readonly label: string }[];
  chosen: T | undefined;
  onChoose: (value: T | undefined) => void;
}) {
  const all: { readonly value: T | undefined; readonly label: string } = { value: undefined, label: 'all' };
  return (
    <div role="group" aria-label={label} className="flex flex-wrap gap-2">
      {[all, ...options].map(({ value, label: text }) => (
        <button
          key={text}
          type="button"
          aria-pressed={chosen === value}
          onClick={() => onChoose(value)}
          className="control rounded-full pointer-coarse:min-w-11 border border-line-strong px-3 text-13 text-ink-2 hover:bg-hover aria-pressed:border-ink aria-pressed:bg-ink aria-pressed:text-bg"
        >
          {text}
        </button>
      ))}
    </div>
  );
}
