import { render } from 'preact';
import { App } from './app/app.tsx';
import { start } from './app/start.ts';
import './parts/escape-texts.ts';
import './style/tokens.css';
import './style/base.css';
import './style/controls.css';

const page = document.getElementById('page');
if (page !== null) render(<App />, page);
void start();
