package bpmn

import (
	"strings"
	"unicode/utf8"
)

// startTag reads the start tag at the position. The attributes stand in
// s.attrs until the next start tag, without the namespace declarations.
func (s *scanner) startTag() (space, local string, err error) {
	s.pos++ // <
	qname := s.name()
	if qname == "" {
		return "", "", s.fatal("The content of elements must consist of well-formed character data or markup.")
	}
	if len(s.open) >= maxDepth {
		return "", "", s.fatal("Elements are nested more than %d levels deep.", maxDepth)
	}
	s.open = append(s.open, qname)
	s.bound = append(s.bound, len(s.bindings))
	if err = s.attributes(qname); err != nil {
		return "", "", err
	}
	if err = s.resolveAttributes(qname); err != nil {
		return "", "", err
	}
	prefix, local := split(qname)
	space, ok := s.uri(prefix)
	if !ok || local == "" || strings.Contains(local, ":") {
		return "", "", s.fatal(`The prefix "%s" for element "%s" is not bound.`, prefix, qname)
	}
	return space, local, nil
}

func (s *scanner) attributes(element string) error {
	s.attrs = s.attrs[:0]
	for {
		before := s.pos
		s.skipSpace()
		if s.pos >= len(s.src) {
			return s.unfinished()
		}
		if s.src[s.pos] == '>' {
			s.pos++
			s.selfClose = false
			return nil
		}
		if strings.HasPrefix(s.rest(), "/>") {
			s.pos += 2
			s.selfClose = true
			return nil
		}
		name := s.name()
		if name == "" || s.pos-len(name) == before {
			return s.fatal(`Element type "%s" must be followed by either attribute specifications, ">" or "/>".`, element)
		}
		value, err := s.attribute(element, name)
		if err != nil {
			return err
		}
		if len(s.attrs) == maxAttributes {
			return s.fatal(`Element "%s" has more than %d attributes.`, element, maxAttributes)
		}
		s.attrs = append(s.attrs, attr{name: name, value: value})
	}
}

// attribute reads what stands behind the attribute's name.
func (s *scanner) attribute(element, name string) (string, error) {
	s.skipSpace()
	if s.pos >= len(s.src) || s.src[s.pos] != '=' {
		return "", s.fatal(`Attribute name "%s" associated with an element type "%s" must be followed by the ' = ' character.`, name, element)
	}
	s.pos++
	s.skipSpace()
	if s.pos >= len(s.src) || s.src[s.pos] != '"' && s.src[s.pos] != '\'' {
		return "", s.fatal(`Open quote is expected for attribute "%s" associated with an  element type  "%s".`, name, element)
	}
	quote := s.src[s.pos]
	s.pos++
	end := strings.IndexByte(s.rest(), quote)
	if end < 0 {
		return "", s.unfinished()
	}
	raw := s.src[s.pos : s.pos+end]
	if lt := strings.IndexByte(raw, '<'); lt >= 0 {
		s.pos += lt
		return "", s.fatal(`The value of attribute "%s" associated with an element type "%s" must not contain the '<' character.`, name, element)
	}
	if err := s.checkChars(raw, `value of attribute "`+name+`" and element is "`+element+`"`); err != nil {
		return "", err
	}
	if !strings.ContainsAny(raw, "&\t\n\r") {
		s.pos += end + 1
		return raw, nil
	}
	value, err := s.expand(raw, true)
	s.pos += end + 1
	return value, err
}

// resolveAttributes takes the declarations out of s.attrs, names the
// namespaces of the others and refuses what is given twice.
func (s *scanner) resolveAttributes(element string) error {
	kept := s.attrs[:0]
	for _, a := range s.attrs {
		prefix, local := split(a.name)
		if a.name != "xmlns" && prefix != "xmlns" {
			kept = append(kept, a)
			continue
		}
		if a.name == "xmlns" {
			local = ""
		}
		if err := s.bind(a.name, local, a.value); err != nil {
			return err
		}
	}
	s.attrs = kept
	for i := range s.attrs {
		a := &s.attrs[i]
		prefix, local := split(a.name)
		if prefix == "" && local == a.name {
			continue // no prefix, no namespace
		}
		uri, ok := s.uri(prefix)
		if !ok || prefix == "" || local == "" || strings.Contains(local, ":") {
			return s.fatal(`The prefix "%s" for attribute "%s" associated with an element type "%s" is not bound.`, prefix, a.name, element)
		}
		a.space, a.name = uri, local
	}
	return s.refuseTwice(element)
}

func (s *scanner) bind(qname, prefix, uri string) error {
	for _, b := range s.bindings[s.bound[len(s.bound)-1]:] {
		if b.prefix == prefix {
			return s.fatal(`Attribute "%s" was already specified for element "%s".`, qname, s.open[len(s.open)-1])
		}
	}
	switch {
	case prefix != "" && uri == "":
		return s.fatal(`The value of the attribute "prefix="xmlns",localpart="%s",rawname="%s"" is invalid. Prefixed namespace bindings may not be empty.`, prefix, qname)
	case prefix == "xmlns" || uri == xmlnsSpace || (prefix == "xml") != (uri == xmlSpace):
		return s.fatal(`The prefix "%s" cannot be bound to "%s".`, prefix, uri)
	case len(s.bindings) == maxBindings:
		return s.fatal("More than %d namespace declarations are in force.", maxBindings)
	}
	s.bindings = append(s.bindings, binding{prefix, uri})
	return nil
}

// refuseTwice looks for an attribute given twice.
func (s *scanner) refuseTwice(element string) error {
	twice := func(a attr) error {
		return s.fatal(`Attribute "%s" was already specified for element "%s".`, a.name, element)
	}
	if len(s.attrs) <= 16 {
		for i, a := range s.attrs {
			for _, b := range s.attrs[:i] {
				if a.name == b.name && a.space == b.space {
					return twice(a)
				}
			}
		}
		return nil
	}
	if s.seen == nil {
		s.seen = make(map[string]struct{})
	}
	clear(s.seen)
	for _, a := range s.attrs {
		key := a.space + "}" + a.name
		if _, dup := s.seen[key]; dup {
			return twice(a)
		}
		s.seen[key] = struct{}{}
	}
	return nil
}

// endTag reads the end tag at the position.
func (s *scanner) endTag() error {
	s.pos += 2 // </
	want := s.open[len(s.open)-1]
	if !strings.HasPrefix(s.rest(), want) {
		return s.fatal(`The element type "%s" must be terminated by the matching end-tag "</%s>".`, want, want)
	}
	s.pos += len(want)
	if r, _ := utf8.DecodeRuneInString(s.rest()); s.pos < len(s.src) && nameChar(r) {
		return s.fatal(`The element type "%s" must be terminated by the matching end-tag "</%s>".`, want, want)
	}
	s.skipSpace()
	if s.pos >= len(s.src) || s.src[s.pos] != '>' {
		return s.fatal(`The end-tag for element type "%s" must end with a '>' delimiter.`, want)
	}
	s.pos++
	return nil
}

// leave ends the innermost open element.
func (s *scanner) leave() {
	n := len(s.open) - 1
	s.bindings = s.bindings[:s.bound[n]]
	s.open, s.bound = s.open[:n], s.bound[:n]
}
