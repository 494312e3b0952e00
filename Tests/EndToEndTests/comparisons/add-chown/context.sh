mkdir -p t/s d; echo 1 >t/s/f; chown 5:6 t/s/f; tar -C t -cf a.tar s; rm -r t; echo a >a; echo x >d/x
