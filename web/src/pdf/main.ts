// The page in which a PDF is read: sandboxed, with an origin of its own, so that nothing of its reader's is within reach of what a file may do
// to a program. It asks nobody for anything: the webmail around it hands it bytes and says which page to show.
import './pdf.css';
import { PDFWorker, PasswordResponses, RenderingCancelledException, TextLayer, getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs';
import type { PDFDocumentProxy, RenderTask } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { partsOf } from './parts';

/** Pixels that a page is drawn with, those of one side, and of a picture in it; how much larger than its own size it is shown. */
const PIXELS = 16_000_000;
const SIDE = 16_000;
const PICTURE = 64_000_000;
const LARGEST = 8;
/** Beside a page, in pixels. */
const MARGIN = 12;

// Calls between browsers are the one way out that no policy closes.
for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'mozRTCPeerConnection']) Reflect.deleteProperty(self, name);

const tell = (what: object) => parent.postMessage(what, '*');
const { worker, workerIntegrity, parts: packed, partsIntegrity } = document.body.dataset;
const sheet = document.body.appendChild(document.createElement('main'));

/** Bytes that were asked for, and who waits for them. */
const waiting = new Map<string, (bytes: ArrayBuffer) => void>();
const want = (name: string, integrity = '') =>
  new Promise<ArrayBuffer>((done) => {
    waiting.set(name, done);
    tell({ want: name, integrity });
  });

let pdf: PDFDocumentProxy | null = null;
let wish = { page: 1, zoom: 1 };
let turn = 0;
let drawing: RenderTask | null = null;
let password: ((typed: string) => void) | null = null;

addEventListener('message', ({ source, data }: MessageEvent<{ name?: string; bytes?: ArrayBuffer; page?: number; zoom?: number; password?: string }>) => {
  if (source !== parent) return;
  if (data.bytes) waiting.get(data.name ?? '')?.(data.bytes);
  if (data.password !== undefined) password?.(data.password);
  if (data.page && data.zoom) {
    wish = { page: data.page, zoom: data.zoom };
    void show();
  }
});

async function open(): Promise<void> {
  const [data, code] = await Promise.all([want('pdf'), want(worker!, workerIntegrity)]);
  const port = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
  const loading = getDocument({
    data,
    worker: new PDFWorker({ port: port as never }),
    BinaryDataFactory: partsOf(() => want(packed!, partsIntegrity)),
    useWorkerFetch: false,
    enableXfa: false,
    maxImageSize: PICTURE,
    canvasMaxAreaInBytes: 4 * PICTURE,
    verbosity: 0,
  });
  loading.onPassword = (answer: (typed: string) => void, why: number) => {
    password = answer;
    tell({ password: why === PasswordResponses.INCORRECT_PASSWORD ? 'wrong' : 'wanted' });
  };
  pdf = await loading.promise;
  tell({ pages: pdf.numPages });
  new ResizeObserver(() => void show()).observe(document.documentElement);
}

/** Draws the page that is wished for, with its text above it. What is asked for meanwhile is drawn instead. */
async function show(): Promise<void> {
  if (!pdf) return;
  const mine = ++turn;
  drawing?.cancel();
  try {
    const page = await pdf.getPage(wish.page);
    if (mine !== turn) return;
    const scale = Math.min(LARGEST, Math.max(0.01, (innerWidth - 2 * MARGIN) / page.getViewport({ scale: 1 }).width) * wish.zoom);
    const viewport = page.getViewport({ scale });
    const { width, height } = viewport;
    const ratio = Math.min(devicePixelRatio, Math.sqrt(PIXELS / (width * height)), SIDE / Math.max(width, height));
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [Math.max(1, Math.floor(width * ratio)), Math.max(1, Math.floor(height * ratio))];
    drawing = page.render({ canvas, viewport, transform: [ratio, 0, 0, ratio, 0, 0] });
    await drawing.promise;
    if (mine !== turn) return;
    const text = document.createElement('div');
    text.className = 'text';
    canvas.setAttribute('aria-hidden', 'true');
    text.style.setProperty('--total-scale-factor', String(scale));
    sheet.style.width = `${width}px`;
    sheet.style.height = `${height}px`;
    sheet.replaceChildren(canvas, text);
    await new TextLayer({ textContentSource: page.streamTextContent(), container: text, viewport }).render().catch(() => {});
    page.cleanup();
    if (mine === turn) tell({ shown: wish.page });
  } catch (error) {
    if (mine === turn && !(error instanceof RenderingCancelledException)) tell({ failed: 'page' });
  }
}

// Keys work around it as they do within.
addEventListener('keydown', ({ key, ctrlKey, metaKey }) => tell({ key: ctrlKey || metaKey ? '' : key }));
open().catch(() => tell({ failed: 'file' }));
