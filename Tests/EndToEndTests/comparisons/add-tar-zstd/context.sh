mkdir t; echo 1 >t/one; touch -d @950000000 t/one; tar -C t -cf a.tar one; zstd -q a.tar; rm -r t
