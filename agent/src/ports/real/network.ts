import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { reachableAddresses } from '../../safe-mode/local-network.ts';
import type { Network } from '../network.ts';

/** Probes from the device itself, as a user on it would reach the service. */
export function realNetwork(): Network {
  return { addresses: () => reachableAddresses(networkInterfaces()), probeHttp, probeTcp };
}

/** The certificate is not checked: a probe asks whether a service of this device answers, and its own is often self-signed. */
function probeHttp(url: string, deadline: number): Promise<string | null> {
  return new Promise((resolve) => {
    const get = url.startsWith('https:') ? httpsGet : httpGet;
    const signal = AbortSignal.timeout(deadline);
    const request = get(url, { signal, rejectUnauthorized: false, agent: false }, (response) => {
      const status = response.statusCode ?? 0;
      response.destroy();
      resolve(status >= 200 && status < 400 ? null : `HTTP ${status}`);
    });
    request.on('error', (error) => resolve(reasonOf(error, signal)));
  });
}

function probeTcp(host: string, port: number, deadline: number): Promise<string | null> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(deadline);
    const socket = connect({ host, port, signal });
    socket.on('connect', () => {
      socket.destroy();
      resolve(null);
    });
    socket.on('error', (error) => resolve(reasonOf(error, signal)));
  });
}

function reasonOf(error: Error, signal: AbortSignal): string {
  return signal.aborted ? 'no answer in time' : error.message || error.name;
}
