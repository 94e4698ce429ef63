"""The servers that show the notebooks: JupyterLab and voila, with the settings that the widgets need.

`python -m widgets.servers lab|app` starts them; `make lab`, `make app` and the browser tests all go this way.

config/     `jupyter_server_config.json`, `voila.json`, `labconfig/`: found through JUPYTER_CONFIG_PATH
share/      the voila template that asks no CDN: found through JUPYTER_PATH
nodelay     small messages to and from the kernel don't wait for the network stack (48 ms -> 4 to 9 ms a move)
app         voila with a limit on what it is sent; limits: of kernels and their memory
offline     altair's charts are drawn with what is installed
"""
