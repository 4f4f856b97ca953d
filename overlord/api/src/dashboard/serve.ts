import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { join } from 'node:path';

const YEAR = 31_536_000_000;

/** Serves the built dashboard: hashed files for ever, and its one page for every path that is not the API's. */
export async function serveDashboard(app: FastifyInstance, folder: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: join(folder, 'assets'),
    prefix: '/assets/',
    preCompressed: true,
    immutable: true,
    maxAge: YEAR,
    index: false,
  });
  await app.register(fastifyStatic, {
    root: folder,
    prefix: '/',
    decorateReply: false,
    preCompressed: true,
    wildcard: false,
    index: false,
    globIgnore: ['assets/**', '**/*.gz', '**/*.br'],
    cacheControl: false,
  });
  for (const path of ['/', '/*']) {
    app.get(path, async (request, reply) => {
      const { url } = request;
      if (/^\/(api|install|assets)\//.test(url)) return reply.callNotFound();
      return reply.header('cache-control', 'no-cache').sendFile('index.html', folder);
    });
  }
}
