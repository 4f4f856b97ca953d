import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import type { RolloutDeviceState } from '@metrica-fleet/protocol/api';
import type { QueryClient } from '@tanstack/react-query';
import type { Client } from './api/client.ts';
import type { StreamPorts } from './api/stream.ts';
import { filtersOf } from './pages/devices/filters.ts';
import { GROUPINGS, type Grouping } from './pages/overview/tile-layout.ts';
import { Live } from './live/live.tsx';
import { whoIsThere } from './session/session.ts';
import { Failed } from './shell/failed.tsx';
import { NotFound } from './shell/not-found.tsx';
import { Shell } from './shell/shell.tsx';

export interface RouterContext {
  readonly client: Client;
  readonly queries: QueryClient;
  readonly streamPorts: StreamPorts;
  /** The session is over. */
  readonly toSignIn: () => void;
}

const root = createRootRouteWithContext<RouterContext>()({ component: Outlet });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  // Only paths of our own: a link must not lead elsewhere after signing in.
  validateSearch: ({ to }: Record<string, unknown>): { to?: string } =>
    typeof to === 'string' && /^\/(?![/\\])/.test(to) ? { to } : {},
  component: lazyRouteComponent(() => import('./pages/sign-in/sign-in.tsx')),
});

const firstAdmin = createRoute({
  getParentRoute: () => root,
  path: '/first-admin',
  component: lazyRouteComponent(() => import('./pages/sign-in/first-admin.tsx')),
});

/** Everything behind the sign-in. */
const fleet = createRoute({
  getParentRoute: () => root,
  id: 'fleet',
  beforeLoad: async ({ context, location }) => {
    const me = await whoIsThere(context.client, context.queries);
    if (me !== null) return;
    throw redirect({ to: '/sign-in', search: location.href === '/' ? {} : { to: location.href } });
  },
  component: LiveShell,
});

function LiveShell() {
  const { streamPorts, toSignIn } = fleet.useRouteContext();
  return (
    <Live ports={streamPorts} onSignedOut={toSignIn}>
      <Shell />
    </Live>
  );
}

const overview = createRoute({
  getParentRoute: () => fleet,
  path: '/',
  validateSearch: ({ by }: Record<string, unknown>): { by?: Grouping } => {
    const grouping = GROUPINGS.find((each) => each === by);
    return grouping === undefined ? {} : { by: grouping };
  },
  component: lazyRouteComponent(() => import('./pages/overview/overview.tsx')),
});

const devices = createRoute({
  getParentRoute: () => fleet,
  path: '/devices',
  validateSearch: filtersOf,
  component: lazyRouteComponent(() => import('./pages/devices/devices.tsx')),
});

const device = createRoute({
  getParentRoute: () => fleet,
  path: '/devices/$id',
  component: lazyRouteComponent(() => import('./pages/device/device.tsx')),
});

const rollouts = createRoute({
  getParentRoute: () => fleet,
  path: '/rollouts',
  validateSearch: ({ role }: Record<string, unknown>): { role?: string } =>
    typeof role === 'string' && role !== '' ? { role } : {},
  component: lazyRouteComponent(() => import('./pages/rollouts/rollouts.tsx')),
});

const rollout = createRoute({
  getParentRoute: () => fleet,
  path: '/rollouts/$id',
  validateSearch: ({ state }: Record<string, unknown>): { state?: RolloutDeviceState } =>
    isRolloutDeviceState(state) ? { state } : {},
  component: lazyRouteComponent(() => import('./pages/rollout/rollout.tsx')),
});

const enrol = createRoute({
  getParentRoute: () => fleet,
  path: '/enrol',
  component: lazyRouteComponent(() => import('./pages/enrol/enrol.tsx')),
});

const tree = root.addChildren([
  signIn,
  firstAdmin,
  fleet.addChildren([overview, devices, device, rollouts, rollout, enrol]),
]);

function isRolloutDeviceState(value: unknown): value is RolloutDeviceState {
  return ['pending', 'updating', 'healthy', 'failed', 'returned'].includes(String(value));
}

/** Every page and its address. Pages are fetched when they are opened. */
export function createPages(context: RouterContext) {
  return createRouter({
    routeTree: tree,
    context,
    // What a page did not ask for, or asked for in another form, does not reach it.
    search: { strict: true },
    // ?q=0024 is the text 0024, as people write it and as the API takes it.
    parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
    stringifySearch: (search) => {
      const text = new URLSearchParams(search as Record<string, string>).toString();
      return text === '' ? '' : `?${text}`;
    },
    defaultPreload: 'intent',
    defaultErrorComponent: Failed,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createPages>;
  }
}
