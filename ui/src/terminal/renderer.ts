// Which renderer draws a terminal. docs/adr/0008 has the figures.

export type RendererChoice = 'auto' | 'dom' | 'webgl';
export type Renderer = 'dom' | 'webgl';

/** WebKitGTK's WebGL goes through a software copy of each frame; everywhere else the graphics card draws, where there is one. */
export function renderer(choice: RendererChoice, userAgent: string, accelerated: () => boolean): Renderer {
  if (choice !== 'auto') return choice;
  const webkit = /AppleWebKit/.test(userAgent) && !/Chrome|Chromium|Edg/.test(userAgent);
  const linux = /Linux|X11/.test(userAgent) && !/Android/.test(userAgent);
  // Asked last: to make a context to ask costs tens of milliseconds and megabytes.
  return (webkit && linux) || !accelerated() ? 'dom' : 'webgl';
}

/** Whether WebGL is drawn by a graphics card: drawn by the processor it is several times slower than the DOM. */
export function accelerated(): boolean {
  const context = document.createElement('canvas').getContext('webgl2', { failIfMajorPerformanceCaveat: true });
  context?.getExtension('WEBGL_lose_context')?.loseContext();
  return context !== null;
}
