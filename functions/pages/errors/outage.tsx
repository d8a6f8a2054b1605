import type { Finding } from '../../../shared/alerts/alert.ts';
import type { Principal } from '../../../shared/platform/principal.ts';
import { Page, renderPage } from '../../../shared/ui/page.tsx';
import { FindingDetails } from '../alerts/alert-views.tsx';

/** Replaces every page while storage is unavailable: what is wrong and where to fix it. Reads nothing itself. */
export function outagePage(principal: Principal, finding: Finding): string {
  return renderPage(
    <Page title={finding.headline.replace(/\.$/, '')} principal={principal} wide>
      <div class="verdict bad">
        <FindingDetails finding={finding} isAdmin={principal.roles.includes('admin')} main />
        <p class="small">All pages come back automatically as soon as storage responds.</p>
      </div>
    </Page>,
  );
}
