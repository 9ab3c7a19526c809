package bpmn

// checkDesign checks the rules that need no expression to be understood.
func checkDesign(f *findings, doc *document) {
	if len(executable(doc)) == 0 {
		f.add(doc.root, "Must contain at least one executable process")
	}
}
