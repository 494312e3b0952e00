mkdir -p t/sub; echo 1 >t/one; echo 2 >t/sub/two; chmod 640 t/one; chown 5:6 t/one; ln -s one t/l; ln t/one t/h; touch -d @950000000 t/one t/sub; chmod 711 t/sub
tar -C t -cf a.tar one sub l h; gzip -kn a.tar; xz -k a.tar; bzip2 -k a.tar; cp a.tar.gz gz-without-name; rm -r t
