import { mount } from 'svelte';
import '../design/base.css';
import { show } from '../app/prefs.svelte';
import App from './App.svelte';

show();
mount(App, { target: document.querySelector('#app')! });
