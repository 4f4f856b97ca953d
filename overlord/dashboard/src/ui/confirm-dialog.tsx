import { AlertDialog } from '@base-ui/react/alert-dialog';
import { useState, type FormEvent, type ReactNode } from 'react';
import { ProblemNotice } from '../forms/problem-notice.tsx';
import { Button, buttonClass, type ButtonLook } from './button.tsx';
import { TextField } from './field.tsx';

interface ConfirmProps {
  /** On the button that opens it. */
  readonly label: string;
  readonly icon?: ReactNode;
  readonly look?: ButtonLook;
  readonly title: string;
  /** What will happen, in a sentence or two. */
  readonly children: ReactNode;
  /** What has to be typed before it can be done; absent: nothing. */
  readonly typed?: string;
  /** True: asks for a reason, which the audit keeps. */
  readonly asksReason?: boolean;
  readonly busy: boolean;
  readonly error: Error | null;
  /** Does it; the dialog closes when `done` is called. */
  readonly onConfirm: (reason: string, done: () => void) => void;
}

/** A button whose deed asks first: says what will happen, and where much depends on it wants a word typed. */
export function ConfirmDialog(props: ConfirmProps) {
  const { label, icon, look = 'secondary', title, children, typed, asksReason = false, busy, error } = props;
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const [word, setWord] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    props.onConfirm(reason, () => {
      setOpen(false);
      setReason('');
      setWord('');
    });
  };
  return (
    <AlertDialog.Root open={open} onOpenChange={setOpen}>
      <AlertDialog.Trigger className={buttonClass(look)}>
        {icon}
        {label}
      </AlertDialog.Trigger>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="fade fixed inset-0 z-20 bg-black/50" />
        <AlertDialog.Popup className="fade fixed inset-x-4 bottom-4 z-30 mx-auto max-w-md rounded border border-line-strong bg-raised p-6 sm:top-1/4 sm:bottom-auto">
          <form className="grid gap-4" onSubmit={submit}>
            <AlertDialog.Title className="text-16 font-semibold">{title}</AlertDialog.Title>
            <AlertDialog.Description render={<div />} className="text-14 text-ink-2">
              {children}
            </AlertDialog.Description>
            <ProblemNotice error={error} />
            {asksReason && (
              <TextField
                label="Reason"
                hint="For the audit, and for the next person. May be left empty."
                value={reason}
                maxLength={500}
                onChange={(event) => setReason(event.target.value)}
              />
            )}
            {typed !== undefined && (
              <TextField
                label={`Type ${typed} to go on`}
                value={word}
                autoCapitalize="none"
                autoComplete="off"
                spellCheck={false}
                onChange={(event) => setWord(event.target.value)}
              />
            )}
            <div className="flex justify-end gap-2">
              <AlertDialog.Close className={buttonClass('secondary')}>Cancel</AlertDialog.Close>
              <Button
                type="submit"
                look={look === 'danger' || look === 'warn' ? 'danger' : 'primary'}
                busy={busy}
                disabled={typed !== undefined && word.trim() !== typed}
              >
                {label}
              </Button>
            </div>
          </form>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
