import { useEffect, type ReactNode } from 'react';

/** The frame of the pages that are open to everybody: one narrow column, nothing else to press. */
export function Entrance({
  title,
  lead,
  children,
}: {
  title: string;
  lead?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Metrica Fleet`;
  }, [title]);
  return (
    <main className="mx-auto grid min-h-dvh w-full max-w-[360px] content-center gap-6 px-4 py-8">
      <header className="grid gap-3">
        <img src="/favicon.svg" alt="" width={32} height={32} />
        <h1 className="text-20 font-semibold">{title}</h1>
        {lead !== undefined && <p className="text-14 text-ink-2">{lead}</p>}
      </header>
      {children}
    </main>
  );
}
