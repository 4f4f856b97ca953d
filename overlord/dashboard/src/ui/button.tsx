import type { ButtonHTMLAttributes, ReactNode } from 'react';

const LOOKS = {
  primary: 'border-ink bg-ink text-bg hover:opacity-85',
  secondary: 'border-line-strong bg-bg text-ink hover:bg-hover',
  quiet: 'border-transparent text-ink-2 hover:bg-hover hover:text-ink',
  danger: 'border-danger bg-danger text-on-danger hover:opacity-85',
  warn: 'border-line-strong bg-bg text-ink hover:border-danger hover:bg-hover',
} as const;

export type ButtonLook = keyof typeof LOOKS;

/** The classes of a button, for links that look like one. */
export function buttonClass(look: ButtonLook = 'secondary', extra = ''): string {
  return `control inline-flex items-center justify-center gap-2 rounded border px-3 text-13 font-medium whitespace-nowrap transition-[background-color,opacity,border-color] duration-100 disabled:opacity-50 ${LOOKS[look]} ${extra}`;
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: ButtonLook;
  /** Something is under way: the button waits, and says so. */
  busy?: boolean;
  icon?: ReactNode;
}

export function Button({ look, busy = false, icon, children, className, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={buttonClass(look, className)}
      disabled={rest.disabled === true || busy}
      aria-busy={busy}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
}

function Spinner() {
  return (
    <svg viewBox="0 0 16 16" width="14" height="14" className="animate-spin" aria-hidden="true">
      <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" strokeOpacity="0.25" strokeWidth="2" />
      <path d="M14 8a6 6 0 0 0-6-6" fill="none" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
    </svg>
  );
}
