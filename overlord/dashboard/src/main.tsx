import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ClientProvider } from './api/calls.ts';
import { createClient } from './api/client.ts';
import { createQueryClient } from './api/query-client.ts';
import type { StreamPorts } from './api/stream.ts';
import { createPages } from './router.tsx';
import { knownMe, remember } from './session/session.ts';
import { applyTheme } from './session/theme.ts';
import './styles.css';

applyTheme();

const streamPorts: StreamPorts = {
  fetch: globalThis.fetch.bind(globalThis),
  now: Date.now,
  random: Math.random,
  sleep: async (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, milliseconds);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(new DOMException('Not needed any more', 'AbortError'));
      });
    }),
};

const queries = createQueryClient(toSignIn);
const client = createClient({ fetch: streamPorts.fetch, csrf: () => knownMe(queries)?.csrf ?? null });
const pages = createPages({ client, queries, streamPorts, toSignIn });

/** The session is over: back to the door, and after it to where one was. */
function toSignIn(): void {
  if (knownMe(queries) === null) return;
  remember(queries, null);
  void pages.navigate({ to: '/sign-in', search: { to: pages.state.location.href } });
}

const place = document.getElementById('root');
if (place === null) throw new Error('index.html has no #root.');
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <ClientProvider value={client}>
        <RouterProvider router={pages} />
      </ClientProvider>
    </QueryClientProvider>
  </StrictMode>,
);
