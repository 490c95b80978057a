package filereload

import (
	"bytes"
	"errors"
)

// Text removes the byte order mark that some editors write in front of UTF-8 text. Its error says that the content is UTF-16,
// as Windows PowerShell and Notepad write it.
func Text(content []byte) ([]byte, error) {
	if isUTF16(content) {
		return nil, errors.New("is UTF-16 text: save it as UTF-8 (in PowerShell: Set-Content -Encoding ascii)")
	}
	return bytes.TrimPrefix(content, []byte("\ufeff")), nil
}

// isUTF16 looks for a byte order mark and, without one, for two ASCII characters.
func isUTF16(content []byte) bool {
	if bytes.HasPrefix(content, []byte{0xff, 0xfe}) || bytes.HasPrefix(content, []byte{0xfe, 0xff}) {
		return true
	}
	if len(content) < 4 {
		return false
	}
	isBig := content[0] == 0 && content[1] != 0 && content[2] == 0 && content[3] != 0
	isLittle := content[0] != 0 && content[1] == 0 && content[2] != 0 && content[3] == 0
	return isBig || isLittle
}
