import { Page } from '../../ui/page.tsx';

export default function DevicePage() {
  return (
    <Page title="Device">
      <p>Being written.</p>
    </Page>
  );
}
