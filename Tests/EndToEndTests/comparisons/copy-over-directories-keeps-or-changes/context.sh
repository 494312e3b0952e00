mkdir -p tree/opt/full/sub tree/data/inner tree/fresh; chmod 700 tree/opt/full; chmod 750 tree/data; echo new >tree/opt/full/one; echo n >tree/data/inner/n; echo f >tree/fresh/f
