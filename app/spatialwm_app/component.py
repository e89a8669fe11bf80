"""The viewer and the tray of pictures as Gradio components: empty boxes that our own JavaScript fills."""

from __future__ import annotations

from typing import Any

import gradio as gr

from spatialwm_app.routes import PREFIX

# The template never names ${value}: Gradio re-renders a template whose value changes, which would throw the canvas away.
_TEMPLATE = '<div class="swm-host"></div>'
_ON_LOAD = f"""
const host = element.querySelector('.swm-host');
const studio = import(new URL('.{PREFIX}/viewer.js', document.baseURI)).then((m) => m.mount(host));
const show = () => studio.then((s) => s.show(props.value));
watch('value', show);
show();
"""

_ON_TRAY_LOAD = f"""
import(new URL('.{PREFIX}/viewer.js', document.baseURI)).then((m) => m.mountTray(element.querySelector('.swm-tray')));
"""


class TrayView(gr.HTML):
    """Takes pictures, videos, folders and archives; what it holds is asked of it when a world is created."""

    CHOSEN = "document.querySelector('.swm-tray').tray.chosen()"
    """JavaScript: a promise of the choices as JSON, or null while nothing was put in."""

    def __init__(self, **kwargs: Any) -> None:
        box = '<div class="swm-tray"></div>'
        super().__init__(html_template=box, js_on_load=_ON_TRAY_LOAD, apply_default_css=False, **kwargs)


class WorldView(gr.HTML):
    """Shows one session's world; its value only says where the session is found."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(html_template=_TEMPLATE, js_on_load=_ON_LOAD, apply_default_css=False, **kwargs)

    def api_info(self) -> dict[str, Any]:
        return {"type": "object", "description": "address of an open world"}
