import { useEffect, type ReactNode } from 'react';

/** A page: its title (of the tab too), what can be done with all of it, and what it shows. */
export function Page({
  title,
  lead,
  actions,
  children,
}: {
  title: string;
  /** Under the title, in a line. */
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Metrica Fleet`;
  }, [title]);
  return (
    <div className="grid gap-6">
      <header className="flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
        <div className="grid min-w-0 gap-1">
          <h1 className="text-20 font-semibold">{title}</h1>
          {lead !== undefined && <div className="text-13 text-ink-2">{lead}</div>}
        </div>
        {actions !== undefined && <div className="flex flex-wrap gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A part of a page under a heading. */
export function Section({
  title,
  aside,
  children,
}: {
  title: string;
  /** Beside the heading: a count, a link. */
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="grid gap-3">
      <div className="flex items-baseline justify-between gap-4">
        <h2 className="text-14 font-semibold">{title}</h2>
        {aside !== undefined && <div className="text-13 text-ink-2">{aside}</div>}
      </div>
      {children}
    </section>
  );
}
