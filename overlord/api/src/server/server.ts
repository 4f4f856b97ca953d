import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import { MESSAGES, ROUTES, type Message, type Route, type RouteName } from '@metrica-fleet/protocol/api';
import fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyBodyParser,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { ApiError } from './api-error.ts';
import { admit, type Identify } from './guard.ts';
import type { Caller, Handlers } from './handler.ts';
import { secureHeaders } from './headers.ts';
import { LIMITS, RATES } from './limits.ts';
import { tell } from './problem.ts';

export interface ServerParts {
  readonly log: FastifyBaseLogger;
  readonly version: string;
  /** True behind a proxy that sets X-Forwarded-For. */
  readonly trustProxy: boolean;
  readonly identify: readonly Identify[];
  readonly handlers: Handlers;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

/** The HTTP server, built from the table of routes: what is not in it does not exist. Not listening yet. */
export async function buildServer(parts: ServerParts): Promise<FastifyInstance> {
  const app = fastify({
    loggerInstance: parts.log,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: parts.trustProxy,
    bodyLimit: LIMITS.body,
    requestTimeout: LIMITS.requestTime,
    keepAliveTimeout: LIMITS.idleConnection,
    routerOptions: { maxParamLength: 200 },
    forceCloseConnections: true,
    return503OnClosing: true,
  });
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, parseJson(app));
  app.decorateRequest('caller');
  app.setErrorHandler((thrown, request, reply) => sendProblem(thrown, request, reply));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      new ApiError('not-found', `There is nothing at ${request.method} ${pathOf(request)}`),
      request,
      reply,
    ),
  );
  app.addHook('onSend', secureHeaders);

  await app.register(cookie);
  await app.register(rateLimit, { global: false });
  await app.register(swagger, {
    openapi: {
      info: { title: 'Metrica Fleet', version: parts.version, description: 'The API of the overlord.' },
    },
  });
  await app.register(swaggerUi, { routePrefix: '/api/docs' });
  for (const name of Object.keys(ROUTES) as RouteName[]) addRoute(app, name, parts);
  return app;
}

/** Fastify's own parser, for text without NUL: PostgreSQL cannot keep one, and a log line of a device may have one. */
function parseJson(app: FastifyInstance): FastifyBodyParser<string> {
  const parse = app.getDefaultJsonParser('error', 'error');
  return (request, body, done) => {
    const clean = body.includes('\\u0000') ? body.replaceAll(/(?<!\\)((?:\\\\)*)\\u0000/g, '$1') : body;
    void parse(request, clean, done);
  };
}

function addRoute(app: FastifyInstance, name: RouteName, { identify, handlers }: ServerParts): void {
  const route: Route = ROUTES[name];
  const message: Message = MESSAGES[name];
  const handler = handlers[name] as (call: unknown) => unknown;
  app.route({
    method: route.method,
    url: route.path,
    schema: {
      operationId: name,
      tags: [route.principal],
      ...(message.params === undefined ? {} : { params: message.params }),
      ...(message.query === undefined ? {} : { querystring: message.query }),
      ...(message.body === undefined ? {} : { body: message.body }),
      ...(message.reply === undefined ? {} : { response: { 200: message.reply } }),
    },
    ...(message.bodyLimit === undefined ? {} : { bodyLimit: message.bodyLimit }),
    config: { rateLimit: RATES[name] ?? false },
    // Before the body is read: nobody sends us 100 MB without having said who it is.
    onRequest: async (request) => {
      request.caller = await admit(request, route.principal, identify);
    },
    handler: async (request, reply) => {
      const { params, query, body, caller } = request;
      const answer = await handler({ params, query, body, caller, address: request.ip, request, reply });
      if (answer === undefined && !reply.sent) return reply.code(204).send();
      return answer;
    },
  });
}

async function sendProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { details, ours } = tell(thrown);
  if (ours) request.log.error({ err: thrown, path: pathOf(request) }, 'A request failed');
  return reply.code(details.status).type('application/problem+json').send(JSON.stringify(details));
}

/** Without the query, which may hold what does not belong into a log. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}
