mkdir t; echo a >t/a; setfattr -n user.note -v text t/a; cp /bin/true t/cap; setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 t/cap; mkfifo t/fifo; mknod t/null c 1 3; truncate -s 2M t/sparse; echo end >>t/sparse
tar --xattrs --xattrs-include='*' -S -C t -cf a.tar .; rm -r t
