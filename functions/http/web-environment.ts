import type { Principal } from '../../shared/platform/principal.ts';
import type { Services } from '../services.ts';

/** What every page finds in its Hono context: `c.get('services')`, `c.get('principal')`. */
export interface WebEnvironment {
  Variables: { services: Services; principal: Principal };
}
