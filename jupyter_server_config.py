"""What the kit tells each Jupyter server: show `.env`, and keep no second copy of it.

`lab.py` names this file, and `binder/start` its folder.
"""

from jupyter_server.services.contents.filecheckpoints import AsyncFileCheckpoints

c = get_config()  # noqa: F821 - Jupyter defines it


class NotebookCheckpoints(AsyncFileCheckpoints):
    """Checkpoints of notebooks only. Of each file that you save, Jupyter keeps a copy in `.ipynb_checkpoints`: of `.env` too."""

    async def create_checkpoint(self, contents_mgr, path):
        """Copy a notebook. Of another file, delete the copy that a server without this class has made."""
        if path.endswith(".ipynb"):
            return await super().create_checkpoint(contents_mgr, path)
        await self.delete_all_checkpoints(path)
        return await self.checkpoint_model("checkpoint", contents_mgr._get_os_path(path))


c.ContentsManager.allow_hidden = True
c.ContentsManager.checkpoints_class = NotebookCheckpoints
