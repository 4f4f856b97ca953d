import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CodeCheck } from '../../src/safe-mode/code.ts';
import { factsOf } from '../../src/safe-mode/facts.ts';
import { respond } from '../../src/safe-mode/respond.ts';

const CODE = 'ABCD2345';
let server: Server;
let origin: string;
let presses: number;
let caller: string;

beforeEach(async () => {
  presses = 0;
  caller = '192.168.1.5';
  const found = {
    reason: null,
    hostname: 'pi-7',
    model: null,
    serial: null,
    pages: [],
    ssh: null,
    journal: '',
  };
  const counter = {
    facts: () => Promise.resolve(factsOf(found)),
    code: () => Promise.resolve(CODE),
    interfaces: () => ({}),
    uptime: () => 1,
    press: () => Promise.resolve(void (presses += 1)),
    check: new CodeCheck(),
  };
  server = createServer((request, response) => void respond(counter, { request, response, caller }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const press = (code: string) =>
  fetch(`${origin}/redeploy`, { method: 'POST', body: new URLSearchParams({ code }) });

describe('the server of the page', () => {
  it('gives the page, the same as JSON, and the style, all under a policy that allows nothing else', async () => {
    for (const [path, type] of [
      ['/', 'text/html; charset=utf-8'],
      ['/status.json', 'application/json; charset=utf-8'],
      ['/style.css', 'text/css; charset=utf-8'],
    ] as const) {
      const reply = await fetch(origin + path);
      expect(reply.status).toBe(200);
      expect(reply.headers.get('content-type')).toBe(type);
      expect(reply.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'self';/);
      expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
      expect(await reply.text()).not.toBe('');
    }
    expect(await (await fetch(`${origin}/status.json`)).json()).toMatchObject({
      safeMode: true,
      device: 'pi-7',
    });
  });

  it('never tells the code', async () => {
    for (const path of ['/', '/status.json'])
      expect(await (await fetch(origin + path)).text()).not.toContain(CODE);
    expect(await (await press('wrong')).text()).not.toContain(CODE);
  });

  it('asks for a redeploy when the code is right, by a form and by JSON', async () => {
    const reply = await press(CODE);
    expect(reply.status).toBe(202);
    expect(await reply.text()).toContain('It is tried again');
    const json = await fetch(`${origin}/redeploy`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code: 'abcd-2345' }),
    });
    expect(await json.json()).toMatchObject({ ok: true });
    expect(presses).toBe(2);
  });

  it('does nothing when the code is wrong or absent, and lets nobody try for long', async () => {
    const statuses = [];
    for (const code of ['', 'x', 'ABCD2346', 'y', 'z', CODE]) statuses.push((await press(code)).status);
    expect(statuses).toEqual([403, 403, 403, 403, 403, 429]);
    const json = await fetch(`${origin}/redeploy`, {
      method: 'POST',
      headers: { accept: 'application/json' },
    });
    expect(json.headers.get('retry-after')).toBe('60');
    expect(await json.json()).toMatchObject({ ok: false, title: 'Too many tries' });
    expect(presses).toBe(0);
  });

  it('refuses the right code from elsewhere', async () => {
    caller = '203.0.113.9';
    const reply = await press(CODE);
    expect(reply.status).toBe(403);
    expect(await reply.text()).toContain('Only from the local network');
    expect(presses).toBe(0);
  });

  it('redeploys for nobody who only looks', async () => {
    expect((await fetch(`${origin}/redeploy?code=${CODE}`)).status).toBe(405);
    expect((await fetch(origin, { method: 'POST', body: `code=${CODE}` })).status).toBe(405);
    expect(presses).toBe(0);
  });

  it('has nothing else, and takes no long story for a code', async () => {
    for (const path of ['/handler.sock', '/../code', '/redeploy/x'])
      expect((await fetch(origin + path)).status).toBe(404);
    expect((await press('x'.repeat(10_000))).status).toBe(413);
    expect((await fetch(origin)).status).toBe(200);
  });
});
