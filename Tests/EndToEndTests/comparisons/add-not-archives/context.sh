echo 'this is no archive' >text.tar; echo text | gzip -n >text.gz; : >empty.tar; echo text >noise.tar.gz; head -c 300 /dev/zero >short.tar
