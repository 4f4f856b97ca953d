import { expect, it } from 'vitest';
import { createClient } from '../src/api/client.ts';
import { createQueryClient } from '../src/api/query-client.ts';
import { ApiProblem } from '../src/api/problem.ts';

const ID = '11111111-1111-4111-8111-111111111111';

/** A client whose requests are written down, and answered with `answer`. */
function clientWith(answer: () => Response | Promise<Response>) {
  const sent: { url: string; init: RequestInit }[] = [];
  const client = createClient({
    fetch: async (url, init) => {
      sent.push({ url: url instanceof Request ? url.url : url.toString(), init: init ?? {} });
      return answer();
    },
    csrf: () => 'secret',
  });
  return { client, sent };
}

it('builds the address from the table of routes, and shows the session’s token only where something changes', async () => {
  const { client, sent } = clientWith(() => Response.json({ items: [], next: null }));
  await client.call('listDeviceEvents', { params: { id: ID }, query: { limit: 5 } });
  await client.call('createOrder', { params: { id: ID }, body: { kind: 'run' } });
  expect(sent.map(({ url, init }) => [init.method, url])).toEqual([
    ['GET', `/api/v1/devices/${ID}/events?limit=5`],
    ['POST', `/api/v1/devices/${ID}/orders`],
  ]);
  expect(sent[0]?.init.headers).not.toHaveProperty('x-csrf-token');
  expect(sent[1]?.init.headers).toMatchObject({
    'x-csrf-token': 'secret',
    'content-type': 'application/json',
  });
});

it('tells a refusal in the overlord’s words', async () => {
  const problem = {
    type: 'about:blank',
    title: 't',
    status: 409,
    code: 'conflict',
    detail: 'Taken.',
    field: '/name',
  };
  const { client } = clientWith(() =>
    Response.json(problem, { status: 409, headers: { 'content-type': 'application/problem+json' } }),
  );
  await expect(
    client.call('updateDevice', { params: { id: ID }, body: { name: 'x' } }),
  ).rejects.toMatchObject({
    message: 'Taken.',
    code: 'conflict',
    field: '/name',
  });
});

it('knows a proxy’s error page and no answer at all from the overlord’s refusals', async () => {
  const proxy = clientWith(() => new Response('<h1>Bad Gateway</h1>', { status: 502 }));
  await expect(proxy.client.call('overview', {})).rejects.toMatchObject({
    code: 'not-the-overlord',
    status: 502,
  });
  const nothing = clientWith(() => Promise.reject(new TypeError('fetch failed')));
  await expect(nothing.client.call('overview', {})).rejects.toMatchObject({ code: 'unreachable', status: 0 });
});

it('says that the session is over at the first answer that says so, and asks no second time', async () => {
  let signedOut = 0;
  let asked = 0;
  const queries = createQueryClient(() => (signedOut += 1));
  const gone = new ApiProblem({ type: 'about:blank', title: '', status: 401, code: 'unauthenticated' });
  const queryFn = () => {
    asked += 1;
    return Promise.reject(gone);
  };
  await expect(queries.fetchQuery({ queryKey: ['overview', {}], queryFn })).rejects.toBe(gone);
  expect({ signedOut, asked }).toEqual({ signedOut: 1, asked: 1 });
});
