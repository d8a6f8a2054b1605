/** The baseline of a cold start: one function that responds, and nothing else. */
import { app } from '@azure/functions';

app.http('empty', { route: 'empty', methods: ['GET'], handler: () => ({ body: 'empty' }) });
