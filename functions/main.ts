/**
 * Registers all functions. Registration comes first and needs almost nothing: an entry point that throws
 * before it has registered leaves an app without functions and without an error. So no setting is read
 * here, although Azure's worker has set the environment by then. Each handler loads its feature at its
 * first call.
 */
import { app, type HttpMethod } from '@azure/functions';
import { paths } from '../shared/paths/paths.ts';
import { keepHeapSmall } from '../shared/platform/small-heap.ts';
import { watchAnswers } from './http/answer-flow.ts';
import { httpHandler } from './http/http-adapter.ts';
import { hostRoute } from './http/route.ts';
import { backgroundHandler, sendLastTelemetry } from './triggers/background-handler.ts';
import { isLive, isReady } from './triggers/health.ts';

keepHeapSmall();

// Downloads of up to 100 MB are streamed; otherwise each would be in memory three times.
app.setup({ enableHttpStream: true });
watchAnswers();

const everyMethod: HttpMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const pages = httpHandler(async () => (await import('./web.ts')).answerPage);

// The host matches routes in order of function name, so each name here must sort before `web`.
app.http('healthLive', {
  route: hostRoute(paths.live),
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: isLive,
});
app.http('healthReady', {
  route: hostRoute(paths.ready),
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  handler: isReady,
});
app.http('oauthCallback', {
  route: `${hostRoute(paths.callback)}/{provider?}`,
  methods: ['GET', 'HEAD', 'POST'],
  authLevel: 'anonymous',
  handler: pages,
});
app.http('web', { route: '{*path}', methods: everyMethod, authLevel: 'anonymous', handler: pages });

app.hook.appTerminate(sendLastTelemetry);

app.timer('fetchMail', {
  schedule: '%FETCH_SCHEDULE%',
  handler: backgroundHandler(async () => (await import('./triggers/fetch-mail.ts')).fetchMail),
});
app.timer('monitor', {
  schedule: '30 * * * * *',
  handler: backgroundHandler(async () => (await import('./triggers/monitor.ts')).monitor),
});
app.storageQueue('fetchShard', {
  queueName: 'fetch-shard',
  connection: 'DataStorage',
  handler: backgroundHandler(async () => (await import('./triggers/fetch-shard.ts')).runShard),
});
app.storageQueue('sendMail', {
  queueName: 'outbox',
  connection: 'DataStorage',
  handler: backgroundHandler(async () => (await import('./triggers/send-mail.ts')).sendMail),
});
app.storageQueue('vaultEvents', {
  queueName: 'vault-events',
  connection: 'DataStorage',
  handler: backgroundHandler(async () => (await import('./triggers/vault-events.ts')).takeVaultEvents),
});
// Once a day, at an uncommon minute.
app.timer('reviewSecrets', {
  schedule: '0 41 5 * * *',
  handler: backgroundHandler(async () => (await import('./triggers/review-secrets.ts')).runReview),
});
app.timer('refreshTokens', {
  schedule: '0 17 3 * * *',
  handler: backgroundHandler(async () => (await import('./triggers/refresh-tokens.ts')).refreshTokens),
});
