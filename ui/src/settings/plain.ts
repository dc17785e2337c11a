/** Terminal output as plain lines: control sequences taken out, a carriage return begins the line anew. */
export function plain(output: string): string {
  const text = output
     
    .replace(/\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-Z\\-_]|\x1b[ -/]+[0-~]/g, '')
    .replace(/\r\n/g, '\n');
  const lines = text.split('\n').map((line) => line.split('\r').at(-1) ?? '');
   
  return lines.map((line) => line.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '').trimEnd()).join('\n').replace(/\n{3,}/g, '\n\n').trim();
}
