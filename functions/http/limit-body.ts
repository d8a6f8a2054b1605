import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { tooLargePage } from '../pages/errors/error-pages.tsx';
import { recordRefusal } from './record-refusal.ts';

/** Refuses a larger body before it is read, or while it is. */
export const limitBody = (maxSize: number): MiddlewareHandler =>
  bodyLimit({
    maxSize,
    onError: (c) => {
      recordRefusal(c, 'too-large');
      return c.html(tooLargePage(), 413);
    },
  });
