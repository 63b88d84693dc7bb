import { hush, toast } from "../state/toast.ts";

/** The region is always there, so that what appears in it is read out. */
export function ToastLine() {
  const { value } = toast;
  return (
    <p class="toast" role="status" data-empty={value === null}>
      {value?.text}
      {value?.action && (
        <button
          type="button"
          onClick={() => {
            value.action?.act();
            hush();
          }}
        >
          {value.action.label}
        </button>
      )}
    </p>
  );
}
