import type { Condition } from '../../../shared/notices/notice.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { ConditionDetails } from '../alerts/notice-views.tsx';

/** In place of any page while storage is away: what is wrong and where it is fixed. Needs nothing but its arguments. */
export function outagePage(principal: Principal, condition: Condition): string {
  return renderPage(
    <Page title={condition.headline.replace(/\.$/, '')} principal={principal} wide>
      <div class="verdict bad">
        <ConditionDetails condition={condition} isAdmin={principal.roles.includes('admin')} main />
        <p class="small">
          This page, and everything else here, is back by itself as soon as storage answers.
        </p>
      </div>
    </Page>,
  );
}
