import { useId, type InputHTMLAttributes, type ReactNode, type SelectHTMLAttributes } from 'react';
import { ChevronDown } from 'lucide-react';

interface FieldProps {
  readonly label: string;
  /** What it is for, under the field. */
  readonly hint?: ReactNode;
  /** What is wrong with it; read out. */
  readonly error?: string | null | undefined;
}

const BOX =
  'control w-full rounded border bg-bg px-3 text-14 text-ink placeholder:text-ink-3 disabled:opacity-60 aria-invalid:border-danger border-line-strong hover:border-ink-3';

/** A line of text with its label. */
export function TextField({
  label,
  hint,
  error,
  ...input
}: FieldProps & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <input
        {...input}
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={hint || error ? `${id}-note` : undefined}
        className={BOX}
      />
    </Frame>
  );
}

/** A choice with its label: the system's own list, which every phone knows how to show. */
export function SelectField({
  label,
  hint,
  error,
  children,
  ...select
}: FieldProps & SelectHTMLAttributes<HTMLSelectElement>) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <span className="relative block">
        <select
          {...select}
          id={id}
          aria-describedby={hint || error ? `${id}-note` : undefined}
          className={`${BOX} appearance-none pr-8`}
        >
          {children}
        </select>
        <ChevronDown
          size={16}
          aria-hidden="true"
          className="pointer-events-none absolute top-1/2 right-2 -translate-y-1/2 text-ink-3"
        />
      </span>
    </Frame>
  );
}

function Frame({ id, label, hint, error, children }: FieldProps & { id: string; children: ReactNode }) {
  return (
    <div className="grid content-start gap-1">
      <label htmlFor={id} className="text-13 font-medium text-ink">
        {label}
      </label>
      {children}
      {(error || hint) && (
        <p id={`${id}-note`} className={`text-12 ${error ? 'font-medium text-ink' : 'text-ink-3'}`}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}
