/** What a cold start is measured against: one function that answers, and nothing else. */
import { app } from '@azure/functions';

app.http('empty', { route: 'empty', methods: ['GET'], handler: () => ({ body: 'empty' }) });
