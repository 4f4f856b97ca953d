import { Page } from '../../ui/page.tsx';

export default function RolloutsPage() {
  return (
    <Page title="Rollouts">
      <p>Being written.</p>
    </Page>
  );
}
