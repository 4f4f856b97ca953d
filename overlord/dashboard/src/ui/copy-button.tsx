import { Check, Copy } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Button, type ButtonLook } from './button.tsx';

/** How long it says that it did. Milliseconds. */
const SAID = 2_000;

/**
 * Copies `text`. A browser gives the clipboard to secure pages only; where it does not, the text in the element
 * `selects` is marked, so that one key copies it.
 */
export function CopyButton({
  text,
  selects,
  look,
  children,
}: {
  text: string;
  selects: string;
  look?: ButtonLook;
  children: ReactNode;
}) {
  const [done, setDone] = useState<'copied' | 'marked' | null>(null);
  const copy = async () => {
    const copied = await writeClipboard(text);
    if (!copied) markText(selects);
    setDone(copied ? 'copied' : 'marked');
    setTimeout(() => setDone(null), SAID);
  };
  const Icon = done === 'copied' ? Check : Copy;
  return (
    <Button
      {...(look === undefined ? {} : { look })}
      icon={<Icon size={16} aria-hidden="true" />}
      onClick={() => void copy()}
    >
      <span aria-live="polite">
        {done === 'copied' ? 'Copied' : done === 'marked' ? 'Marked: press Ctrl-C' : children}
      </span>
    </Button>
  );
}

async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function markText(id: string): void {
  const element = document.getElementById(id);
  if (element !== null) getSelection()?.selectAllChildren(element);
}
