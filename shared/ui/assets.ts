import { createHash } from 'node:crypto';
import { paths } from '../paths/paths.ts';
import { icon } from './icon.ts';
import script from './static/admin.js?raw';
import alerts from './static/alerts.css?raw';
import controls from './static/controls.css?raw';
import conversation from './static/conversation.css?raw';
import elements from './static/elements.css?raw';
import frame from './static/frame.css?raw';
import home from './static/home.css?raw';
import lists from './static/lists.css?raw';
import replies from './static/replies.css?raw';
import replyForm from './static/reply-form.js?raw';
import setup from './static/setup.css?raw';

/** A file of ours. Its path changes with its content, so it may be cached for ever. */
export interface Asset {
  path: string;
  contentType: string;
  body: string;
}

function asset(name: string, extension: string, contentType: string, body: string): Asset {
  const fingerprint = createHash('sha256').update(body).digest('hex').slice(0, 12);
  return { path: paths.asset({ name: `${name}.${fingerprint}.${extension}` }), contentType, body };
}

// The order decides between rules of the same weight.
const stylesheet = [elements, frame, controls, setup, lists, conversation, replies, home, alerts].join('\n');
const style = asset('postroom', 'css', 'text/css; charset=utf-8', stylesheet);
const enhancement = asset('postroom', 'js', 'text/javascript; charset=utf-8', `${script}\n${replyForm}`);
const mark = asset('postroom', 'svg', 'image/svg+xml', icon);

export const assets: readonly Asset[] = [style, enhancement, mark];
export const stylesheetPath: string = style.path;
export const scriptPath: string = enhancement.path;
export const iconPath: string = mark.path;
