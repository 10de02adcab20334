"""What the kit tells each Jupyter server: open lessons without outputs, show `.env`, and keep no second copy of it.

It also starts kernels that explain a NameError. `lab.py` names this file to JupyterLab, `binder/start` its folder.
"""

import os

from jupyter_server.services.contents.filecheckpoints import AsyncFileCheckpoints
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

c = get_config()  # noqa: F821 - Jupyter defines it
KIT = os.path.dirname(os.path.abspath(__file__))
KERNEL_STARTUP = os.path.join(KIT, "mock_server", "kernel_startup.py")
# JupyterLab looks there for the folder `labconfig`: the kit's asks nobody whether to fetch news from another site.
os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, [KIT, os.environ.get("JUPYTER_CONFIG_PATH")]))


class NotebookCheckpoints(AsyncFileCheckpoints):
    """Checkpoints of notebooks only. Of each file that you save, Jupyter keeps a copy in `.ipynb_checkpoints`: of `.env` too."""

    async def create_checkpoint(self, contents_mgr, path):
        """Copy a notebook. Of another file, delete the copy that a server without this class has made."""
        if path.endswith(".ipynb"):
            return await super().create_checkpoint(contents_mgr, path)
        await self.delete_all_checkpoints(path)
        return await self.checkpoint_model("checkpoint", contents_mgr._get_os_path(path))


class Lessons(AsyncLargeFileManager):
    """Files as they are, but notebooks without the outputs from before this server started: a learner makes their own."""

    def __init__(self, **options):
        super().__init__(**options)
        self._saved = set()  # paths

    async def save(self, model, path=""):
        """Save a file. A notebook keeps its outputs from now on, as when its page is loaded again.

        It loses the empty cell that Shift+Enter adds after the last one.
        """
        self._saved.add(path.strip("/"))
        cells = model["content"]["cells"] if model.get("type") == "notebook" and model.get("content") else []
        while len(cells) > 1 and cells[-1]["cell_type"] == "code" and not cells[-1]["source"]:
            cells.pop()
        return await super().save(model, path)

    async def get(self, path, content=True, **options):
        """Read a file or a folder."""
        model = await super().get(path, content, **options)
        if content and model["type"] == "notebook" and path.strip("/") not in self._saved:
            for cell in model["content"].cells:
                if cell.cell_type == "code":
                    cell.update(outputs=[], execution_count=None)
        return model


class Kernels(AsyncMappingKernelManager):
    """Kernels that run `mock_server/kernel_startup.py`, unless you have told Python to run a file of your own."""

    async def start_kernel(self, **options):
        """Start a kernel."""
        env = {"PYTHONSTARTUP": KERNEL_STARTUP, **(options.get("env") or os.environ)}
        return await super().start_kernel(**{**options, "env": env})


c.ServerApp.contents_manager_class = Lessons
c.ServerApp.kernel_manager_class = Kernels
c.LabApp.default_url = "/lab/tree/notebooks/01-start-here.ipynb"
c.ServerApp.answer_yes = True  # Ctrl-C asks nothing
c.AsyncMappingKernelManager.transport_encryption = "auto"  # without it, each kernel warns
c.ContentsManager.allow_hidden = True
c.ContentsManager.checkpoints_class = NotebookCheckpoints
