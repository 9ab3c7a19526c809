package bpmn

// Parse reads and checks the BPMN resource of this name. The error is
// *Invalid when the model is at fault; there is no other.
func Parse(resource string, xml []byte) (*Model, error) {
	doc, err := read(xml)
	if err != nil {
		return nil, invalid(resource, err.Error())
	}
	var design findings
	if err := checkDesign(&design, doc); err != nil {
		return nil, invalid(resource, err.Error())
	}
	if wrong := design.report(resource); wrong != nil {
		return nil, wrong
	}
	b := newBuilder(doc)
	model, err := b.model()
	if wrong := b.wrong.report(resource); wrong != nil {
		return nil, wrong
	}
	if err != nil {
		return nil, invalid(resource, err.Error())
	}
	if err := b.unsupported.report(resource); err != nil {
		return nil, err
	}
	return model, nil
}
