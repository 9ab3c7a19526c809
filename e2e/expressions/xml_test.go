package expressions

import (
	"fmt"

	"github.com/grevy-io/grevy/e2e/recorded"
)

func definitions(id, body string) string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="%s" name="%s" namespace="http://feel">%s</definitions>`, id, id, body)
}

func literal(id, text string) string {
	return fmt.Sprintf(`<decision id="%s" name="%s"><variable name="result"/><literalExpression id="%s_l"><text>%s</text></literalExpression></decision>`, id, id, id, recorded.Escaped(text))
}
