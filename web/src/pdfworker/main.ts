// Takes a PDF apart beside the page that shows it, so that a file which takes for ever keeps nobody waiting.
import 'pdfjs-dist/legacy/build/pdf.worker.mjs';
