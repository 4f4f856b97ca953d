import { useQueryClient } from '@tanstack/react-query';
import { createContext, use, useEffect, useState, type ReactNode } from 'react';
import { refreshAll } from '../api/calls.ts';
import { followStream, type StreamPorts, type StreamState } from '../api/stream.ts';
import { applyDelta } from './apply-delta.ts';

const LiveContext = createContext<StreamState>({ phase: 'connecting', asOf: null });

/** How fresh the screen is. */
export function useLiveState(): StreamState {
  return use(LiveContext);
}

/** Follows the stream for as long as somebody is signed in, and keeps every answer on the screen up to date. */
export function Live({
  ports,
  onSignedOut,
  children,
}: {
  ports: StreamPorts;
  onSignedOut: () => void;
  children: ReactNode;
}) {
  const queries = useQueryClient();
  const [state, setState] = useState<StreamState>({ phase: 'connecting', asOf: null });
  useEffect(() => {
    const leaving = new AbortController();
    void followStream(
      ports,
      {
        onState: (next) => {
          // Ten heartbeats a minute paint nothing; a change of phase does.
          setState((former) => (former.phase === 'live' && next.phase === 'live' ? former : next));
        },
        onDelta: (delta) => {
          applyDelta(queries, delta);
        },
        onGap: () => {
          refreshAll(queries);
        },
        onSignedOut,
      },
      leaving.signal,
    );
    return () => {
      leaving.abort();
    };
  }, [ports, queries, onSignedOut]);
  return <LiveContext value={state}>{children}</LiveContext>;
}
