import type { Finding } from '../../../shared/alerts/alert.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { FindingDetails } from '../alerts/alert-views.tsx';

/** In place of any page while storage is away: what is wrong and where it is fixed. Needs nothing but its arguments. */
export function outagePage(principal: Principal, finding: Finding): string {
  return renderPage(
    <Page title={finding.headline.replace(/\.$/, '')} principal={principal} wide>
      <div class="verdict bad">
        <FindingDetails finding={finding} isAdmin={principal.roles.includes('admin')} main />
        <p class="small">
          This page, and everything else here, is back by itself as soon as storage answers.
        </p>
      </div>
    </Page>,
  );
}
