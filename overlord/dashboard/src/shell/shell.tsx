import { Link, Outlet } from '@tanstack/react-router';
import { LiveChip } from '../live/live-chip.tsx';
import { useMay } from '../session/session.ts';
import { AccountMenu } from './account-menu.tsx';
import { NAVIGATION } from './navigation.ts';

/** What is around every page of somebody who is signed in: a bar on top, and on a phone the pages under the thumb. */
export function Shell() {
  return (
    <div className="min-h-dvh pb-[calc(64px+env(safe-area-inset-bottom))] md:pb-0">
      <a
        href="#page"
        className="sr-only rounded bg-ink px-3 py-2 text-bg focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-30"
      >
        Skip to the page
      </a>
      <header className="sticky top-0 z-10 border-b border-line bg-bg">
        <div className="mx-auto flex h-12 max-w-[1280px] items-center gap-6 px-4 md:px-6">
          <Link to="/" className="flex items-center gap-2 text-14 font-semibold">
            <img src="/favicon.svg" alt="" width={20} height={20} />
            Metrica Fleet
          </Link>
          <nav aria-label="Pages" className="hidden gap-1 md:flex">
            <Pages
              className="control inline-flex items-center gap-2 rounded px-3 text-13 font-medium"
              iconSize={16}
            />
          </nav>
          <div className="ml-auto flex items-center gap-2">
            <LiveChip />
            <AccountMenu />
          </div>
        </div>
      </header>
      <main id="page" tabIndex={-1} className="mx-auto max-w-[1280px] px-4 py-6 outline-none md:px-6">
        <Outlet />
      </main>
      <nav
        aria-label="Pages"
        className="fixed inset-x-0 bottom-0 z-10 grid auto-cols-fr grid-flow-col border-t border-line bg-bg pb-[env(safe-area-inset-bottom)] md:hidden"
      >
        <Pages className="flex h-16 flex-col items-center justify-center gap-1 text-12" iconSize={20} />
      </nav>
    </div>
  );
}

function Pages({ className, iconSize }: { className: string; iconSize: number }) {
  const mayEnrol = useMay('operator');
  return NAVIGATION.filter(({ needs }) => needs === 'viewer' || mayEnrol).map(({ to, label, icon: Icon }) => (
    <Link
      key={to}
      to={to}
      activeOptions={{ exact: to === '/', includeSearch: false }}
      className={className}
      activeProps={{ className: 'text-ink bg-hover' }}
      inactiveProps={{ className: 'text-ink-2 hover:bg-hover hover:text-ink' }}
    >
      <Icon size={iconSize} aria-hidden="true" />
      {label}
    </Link>
  ));
}
