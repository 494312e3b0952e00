mkdir -p t/opt/full t/data t/tmp; echo 1 >t/opt/full/x; echo 2 >t/data/y; echo 3 >t/tmp/z; chmod 750 t/opt/full
tar -C t --no-recursion -cf a.tar ./opt/full ./opt/full/x ./data/y tmp/z; rm -r t
