
# Places of other stores than the file system, whose paths zsh completes by itself.
_omnistorage_places() {
    local -a found
    found=(${(f)"$(omnistorage complete-place "${(Q)PREFIX}" 2>/dev/null)"})
    (( $#found )) && compadd -S '' -- "${found[@]}"
    _files
}
