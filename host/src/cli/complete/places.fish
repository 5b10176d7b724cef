
# Places of other stores than the file system, whose paths fish completes by itself.
complete -c omnistorage -n 'not string match -q -- "-*" (commandline -ct)' \
    -a '(omnistorage complete-place (commandline -ct | string unescape) 2>/dev/null)'
