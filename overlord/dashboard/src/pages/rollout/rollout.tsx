import { Page } from '../../ui/page.tsx';

export default function RolloutPage() {
  return (
    <Page title="Rollout">
      <p>Being written.</p>
    </Page>
  );
}
