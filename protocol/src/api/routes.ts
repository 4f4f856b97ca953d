import type { Principal } from './principals.ts';

/** One route: how it is called, and by whom. What goes in and out is in messages.ts, under the same name. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** `:name` stands for a path parameter. */
  readonly path: string;
  readonly principal: Principal;
}

/** Every route of the overlord. What is not in this table does not exist: the server is built from it, and a test walks it. */
export const ROUTES = {
  // The device's side.
  enrol: { method: 'POST', path: '/api/v1/enrol', principal: 'public' },
  deviceChallenge: { method: 'POST', path: '/api/v1/device/challenge', principal: 'public' },
  deviceToken: { method: 'POST', path: '/api/v1/device/token', principal: 'public' },
  checkIn: { method: 'POST', path: '/api/v1/device/check-in', principal: 'device' },
  deviceSignals: { method: 'GET', path: '/api/v1/device/signals', principal: 'device' },
  artifact: { method: 'GET', path: '/api/v1/artifacts/:digest', principal: 'device' },
  installer: { method: 'GET', path: '/install.sh', principal: 'public' },
  agentPackage: { method: 'GET', path: '/install/role-agent.deb', principal: 'public' },
  certificateAuthority: { method: 'GET', path: '/install/ca.pem', principal: 'public' },

  // People.
  createFirstAdmin: { method: 'POST', path: '/api/v1/first-admin', principal: 'public' },
  signIn: { method: 'POST', path: '/api/v1/sessions', principal: 'public' },
  signOut: { method: 'DELETE', path: '/api/v1/sessions', principal: 'viewer' },
  me: { method: 'GET', path: '/api/v1/me', principal: 'viewer' },
  listOperators: { method: 'GET', path: '/api/v1/operators', principal: 'admin' },
  createOperator: { method: 'POST', path: '/api/v1/operators', principal: 'admin' },
  updateOperator: { method: 'PATCH', path: '/api/v1/operators/:id', principal: 'admin' },
  listApiTokens: { method: 'GET', path: '/api/v1/api-tokens', principal: 'viewer' },
  createApiToken: { method: 'POST', path: '/api/v1/api-tokens', principal: 'viewer' },
  revokeApiToken: { method: 'DELETE', path: '/api/v1/api-tokens/:id', principal: 'viewer' },
  listAudit: { method: 'GET', path: '/api/v1/audit', principal: 'admin' },

  // The fleet.
  overview: { method: 'GET', path: '/api/v1/overview', principal: 'viewer' },
  stream: { method: 'GET', path: '/api/v1/stream', principal: 'viewer' },
  deviceMap: { method: 'GET', path: '/api/v1/device-map', principal: 'viewer' },
  listDevices: { method: 'GET', path: '/api/v1/devices', principal: 'viewer' },
  showDevice: { method: 'GET', path: '/api/v1/devices/:id', principal: 'viewer' },
  updateDevice: { method: 'PATCH', path: '/api/v1/devices/:id', principal: 'operator' },
  explainDevice: { method: 'GET', path: '/api/v1/devices/:id/explain', principal: 'viewer' },
  listDeviceEvents: { method: 'GET', path: '/api/v1/devices/:id/events', principal: 'viewer' },
  showRunLog: { method: 'GET', path: '/api/v1/devices/:id/events/:event/log', principal: 'viewer' },
  createOrder: { method: 'POST', path: '/api/v1/devices/:id/orders', principal: 'operator' },
  listOrders: { method: 'GET', path: '/api/v1/devices/:id/orders', principal: 'viewer' },
  approveDevice: { method: 'POST', path: '/api/v1/devices/:id/approve', principal: 'operator' },
  revokeDevice: { method: 'POST', path: '/api/v1/devices/:id/revoke', principal: 'operator' },
  listEnrolmentTokens: { method: 'GET', path: '/api/v1/enrolment-tokens', principal: 'operator' },
  createEnrolmentToken: { method: 'POST', path: '/api/v1/enrolment-tokens', principal: 'operator' },
  revokeEnrolmentToken: { method: 'DELETE', path: '/api/v1/enrolment-tokens/:id', principal: 'operator' },

  // Releases and rollouts.
  showRepository: { method: 'GET', path: '/api/v1/repository', principal: 'viewer' },
  fetchRepository: { method: 'POST', path: '/api/v1/repository/fetch', principal: 'operator' },
  listReleases: { method: 'GET', path: '/api/v1/releases', principal: 'viewer' },
  showRelease: { method: 'GET', path: '/api/v1/releases/:id', principal: 'viewer' },
  listRollouts: { method: 'GET', path: '/api/v1/rollouts', principal: 'viewer' },
  startRollout: { method: 'POST', path: '/api/v1/rollouts', principal: 'operator' },
  showRollout: { method: 'GET', path: '/api/v1/rollouts/:id', principal: 'viewer' },
  listRolloutDevices: { method: 'GET', path: '/api/v1/rollouts/:id/devices', principal: 'viewer' },
  promoteRollout: { method: 'POST', path: '/api/v1/rollouts/:id/promote', principal: 'operator' },
  pauseRollout: { method: 'POST', path: '/api/v1/rollouts/:id/pause', principal: 'operator' },
  resumeRollout: { method: 'POST', path: '/api/v1/rollouts/:id/resume', principal: 'operator' },
  haltRollout: { method: 'POST', path: '/api/v1/rollouts/:id/halt', principal: 'operator' },

  // The machine room.
  healthz: { method: 'GET', path: '/healthz', principal: 'public' },
  readyz: { method: 'GET', path: '/readyz', principal: 'public' },
  metrics: { method: 'GET', path: '/metrics', principal: 'monitoring' },
  apiDescription: { method: 'GET', path: '/api/openapi.json', principal: 'public' },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof ROUTES;
