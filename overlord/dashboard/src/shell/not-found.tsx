import { Link } from '@tanstack/react-router';
import { Page } from '../ui/page.tsx';

/** An address that leads nowhere. */
export function NotFound() {
  return (
    <Page
      title="Nothing here"
      lead="This address leads to no page. A device or rollout may have been removed since."
    >
      <Link to="/" className="text-14 underline">
        To the overview
      </Link>
    </Page>
  );
}
