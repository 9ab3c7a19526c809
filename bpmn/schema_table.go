package bpmn

// The BPMN 2.0 schema (OMG formal/2011-01-03: Semantic, BPMNDI, DI and DC.xsd)
// in short. A line of schemaTypes is
//
//	name base : attributes : content
//
// An attribute is name, "!" if it must be there, and its type: ID, R for
// IDREF, Q for QName, b for boolean, i for integer, d for double, the values of an
// enumeration parted by "/", or none for text. A particle of the content is
// an element and how often it may stand: none once, "?" at most once, "*" any
// number, "+" at least once, a number at least so often. An element behind
// "=" has the type named there, or holds a simple one (Q, R, text); one
// without is declared in schemaElements, or stands for those it heads. A "|"
// joins elements of which one is meant. Types marked "mixed" hold text,
// those marked "any" hold anything, those marked "other" anything of other
// namespaces, and "closed" ones take no attributes of other namespaces.
const schemaTypes = `
tDefinitions - : id:ID name targetNamespace! expressionLanguage typeLanguage exporter exporterVersion : import* extension* rootElement* di:BPMNDiagram* relationship*
Point - closed : x!:d y!:d :
Bounds - closed : x!:d y!:d width!:d height!:d :
Font - closed : name size:d isBold:b isItalic:b isUnderline:b isStrikeThrough:b :
Extension - any closed : :
Diagram - closed : name documentation resolution:d id:ID :
Style - closed : id:ID :
DiagramElement - : id:ID : ddi:extension=Extension?
Shape DiagramElement : : dc:Bounds
Edge DiagramElement : : ddi:waypoint=Point2
Label DiagramElement : : dc:Bounds?
BPMNDiagram Diagram : : di:BPMNPlane di:BPMNLabelStyle*
BPMNPlane DiagramElement : bpmnElement:Q : ddi:DiagramElement*
BPMNShape Shape : bpmnElement:Q isHorizontal:b isExpanded:b isMarkerVisible:b isMessageVisible:b participantBandKind:top_initiating/middle_initiating/bottom_initiating/top_non_initiating/middle_non_initiating/bottom_non_initiating choreographyActivityShape:Q : di:BPMNLabel?
BPMNEdge Edge : bpmnElement:Q sourceElement:Q targetElement:Q messageVisibleKind:initiating/non_initiating : di:BPMNLabel?
BPMNLabel Label : labelStyle:Q :
BPMNLabelStyle Style : : dc:Font
tImport - closed : namespace! location! importType! :
tExtension - closed : definition:Q mustUnderstand:b : documentation*
tDocumentation - mixed any closed : id:ID textFormat :
tExtensionElements - other closed : :
tText - mixed any closed : :
tScript - mixed any closed : :
tBaseElement - : id:ID : documentation* extensionElements?
tMixedBaseElement - mixed : id:ID : documentation* extensionElements?
tRelationship tBaseElement : type! direction:None/Forward/Backward/Both : source=Q+ target=Q+
tExpression tMixedBaseElement : :
tFormalExpression tExpression : language evaluatesToTypeRef:Q :
tFlowElement tBaseElement : name : auditing? monitoring? categoryValueRef=Q*
tFlowNode tFlowElement : : incoming=Q* outgoing=Q*
tActivity tFlowNode : isForCompensation:b startQuantity:i completionQuantity:i default:R : ioSpecification? property* dataInputAssociation* dataOutputAssociation* resourceRole* loopCharacteristics?
tServiceTask tActivity : implementation operationRef:Q :
tSendTask tActivity : implementation messageRef:Q operationRef:Q :
tReceiveTask tActivity : implementation messageRef:Q operationRef:Q instantiate:b :
tScriptTask tActivity : scriptFormat : script?
tUserTask tActivity : implementation : rendering*
tBusinessRuleTask tActivity : implementation :
tCallActivity tActivity : calledElement:Q :
tSubProcess tActivity : triggeredByEvent:b : laneSet* flowElement* artifact*
tAdHocSubProcess tSubProcess : cancelRemainingInstances:b ordering:Parallel/Sequential : completionCondition=tExpression?
tTransaction tSubProcess : method :
tGateway tFlowNode : gatewayDirection:Unspecified/Converging/Diverging/Mixed :
tDefaultGateway tGateway : default:R :
tComplexGateway tGateway : default:R : activationCondition=tExpression?
tEventBasedGateway tGateway : instantiate:b eventGatewayType:Exclusive/Parallel :
tEvent tFlowNode : : property*
tCatchEvent tEvent : parallelMultiple:b : dataOutput* dataOutputAssociation* outputSet? eventDefinition* eventDefinitionRef=Q*
tStartEvent tCatchEvent : isInterrupting:b :
tBoundaryEvent tCatchEvent : cancelActivity:b attachedToRef!:Q :
tThrowEvent tEvent : : dataInput* dataInputAssociation* inputSet? eventDefinition* eventDefinitionRef=Q*
tCallableElement tBaseElement : name : supportedInterfaceRef=Q* ioSpecification? ioBinding*
tProcess tCallableElement : processType:None/Public/Private isClosed:b isExecutable:b definitionalCollaborationRef:Q : auditing? monitoring? property* laneSet* flowElement* artifact* resourceRole* correlationSubscription* supports=Q*
tSequenceFlow tFlowElement : sourceRef!:R targetRef!:R isImmediate:b : conditionExpression=tExpression?
tDataObject tFlowElement : itemSubjectRef:Q isCollection:b : dataState?
tDataObjectReference tFlowElement : itemSubjectRef:Q dataObjectRef:R : dataState?
tDataStoreReference tFlowElement : itemSubjectRef:Q dataStoreRef:Q : dataState?
tDataStore tBaseElement : name capacity:i isUnlimited:b itemSubjectRef:Q : dataState?
tNamed tBaseElement : name :
tProperty tBaseElement : name itemSubjectRef:Q : dataState?
tDataItem tBaseElement : name itemSubjectRef:Q isCollection:b : dataState?
tLaneSet tBaseElement : name : lane*
tLane tBaseElement : name partitionElementRef:Q : partitionElement=tBaseElement? flowNodeRef=R* childLaneSet=tLaneSet?
tAssociation tBaseElement : sourceRef!:Q targetRef!:Q associationDirection:None/One/Both :
tGroup tBaseElement : categoryValueRef:Q :
tTextAnnotation tBaseElement : textFormat : text?
tMessage tBaseElement : name itemRef:Q :
tSignal tBaseElement : name structureRef:Q :
tError tBaseElement : name errorCode structureRef:Q :
tEscalation tBaseElement : name escalationCode structureRef:Q :
tItemDefinition tBaseElement : structureRef:Q isCollection:b itemKind:Information/Physical :
tCompensateEventDefinition tBaseElement : waitForCompletion:b activityRef:Q :
tConditionalEventDefinition tBaseElement : : condition=tExpression
tErrorEventDefinition tBaseElement : errorRef:Q :
tEscalationEventDefinition tBaseElement : escalationRef:Q :
tLinkEventDefinition tBaseElement : name! : source=Q* target=Q?
tMessageEventDefinition tBaseElement : messageRef:Q : operationRef=Q?
tSignalEventDefinition tBaseElement : signalRef:Q :
tTimerEventDefinition tBaseElement : : timeDate|timeDuration|timeCycle=tExpression?
tStandardLoopCharacteristics tBaseElement : testBefore:b loopMaximum:i : loopCondition=tExpression?
tMultiInstanceLoopCharacteristics tBaseElement : isSequential:b behavior:None/One/All/Complex oneBehaviorEventRef:Q noneBehaviorEventRef:Q : loopCardinality=tExpression? loopDataInputRef=Q? loopDataOutputRef=Q? inputDataItem=tDataItem? outputDataItem=tDataItem? complexBehaviorDefinition* completionCondition=tExpression?
tComplexBehaviorDefinition tBaseElement : : condition=tFormalExpression event=tThrowEvent?
tInputOutputSpecification tBaseElement : : dataInput* dataOutput* inputSet+ outputSet+
tInputSet tBaseElement : name : dataInputRefs=R* optionalInputRefs=R* whileExecutingInputRefs=R* outputSetRefs=R*
tOutputSet tBaseElement : name : dataOutputRefs=R* optionalOutputRefs=R* whileExecutingOutputRefs=R* inputSetRefs=R*
tDataAssociation tBaseElement : : sourceRef=R* targetRef=R transformation=tFormalExpression? assignment*
tAssignment tBaseElement : : from=tExpression to=tExpression
tInputOutputBinding tBaseElement : operationRef!:Q inputDataRef!:R outputDataRef!:R :
tResourceRole tBaseElement : name : resourceRef=Q? resourceParameterBinding* resourceAssignmentExpression?
tResourceAssignmentExpression tBaseElement : : expression
tResourceParameterBinding tBaseElement : parameterRef!:Q : expression
tResource tBaseElement : name! : resourceParameter*
tResourceParameter tBaseElement : name type:Q isRequired:b :
tInterface tBaseElement : name! implementationRef:Q : operation+
tOperation tBaseElement : name! implementationRef:Q : inMessageRef=Q outMessageRef=Q? errorRef=Q*
tCorrelationProperty tBaseElement : name type:Q : correlationPropertyRetrievalExpression+
tCorrelationPropertyRetrievalExpression tBaseElement : messageRef!:Q : messagePath=tFormalExpression
tCorrelationKey tBaseElement : name : correlationPropertyRef=Q*
tCorrelationSubscription tBaseElement : correlationKeyRef!:Q : correlationPropertyBinding*
tCorrelationPropertyBinding tBaseElement : correlationPropertyRef!:Q : dataPath=tFormalExpression
tCategory tBaseElement : name : categoryValue*
tCategoryValue tBaseElement : value :
tCollaboration tBaseElement : name isClosed:b : participant* messageFlow* artifact* conversationNode* conversationAssociation* participantAssociation* messageFlowAssociation* correlationKey* choreographyRef=Q* conversationLink*
tParticipant tBaseElement : name processRef:Q : interfaceRef=Q* endPointRef=Q* participantMultiplicity?
tParticipantMultiplicity tBaseElement : minimum:i maximum:i :
tMessageFlow tBaseElement : name sourceRef!:Q targetRef!:Q messageRef:Q :
tParticipantAssociation tBaseElement : : innerParticipantRef=Q outerParticipantRef=Q
tMessageFlowAssociation tBaseElement : innerMessageFlowRef!:Q outerMessageFlowRef!:Q :
tConversationAssociation tBaseElement : innerConversationNodeRef!:Q outerConversationNodeRef!:Q :
tConversationLink tBaseElement : name sourceRef!:Q targetRef!:Q :
tConversationNode tBaseElement : name : participantRef=Q* messageFlowRef=Q* correlationKey*
tSubConversation tConversationNode : : conversationNode*
tCallConversation tConversationNode : calledCollaborationRef:Q : participantAssociation*
tChoreography tCollaboration : : flowElement*
tGlobalChoreographyTask tChoreography : initiatingParticipantRef!:Q :
tChoreographyActivity tFlowNode : initiatingParticipantRef!:Q loopType:None/Standard/MultiInstanceSequential/MultiInstanceParallel : participantRef=Q2 correlationKey*
tChoreographyTask tChoreographyActivity : : messageFlowRef=Q+
tCallChoreography tChoreographyActivity : calledChoreographyRef:Q : participantAssociation*
tSubChoreography tChoreographyActivity : : flowElement* artifact*
tGlobalTask tCallableElement : : resourceRole*
tGlobalUserTask tGlobalTask : implementation : rendering*
tGlobalScriptTask tGlobalTask : scriptLanguage : script?
tGlobalBusinessRuleTask tGlobalTask : implementation :
tPartner tBaseElement : name : participantRef=Q*
`

// schemaElements are the elements declared for all: name, type, and the
// elements they may stand for.
const schemaElements = `
dc:Bounds Bounds
dc:Font Font
di:BPMNDiagram BPMNDiagram
di:BPMNPlane BPMNPlane
di:BPMNLabelStyle BPMNLabelStyle
di:BPMNLabel BPMNLabel
di:BPMNShape BPMNShape ddi:DiagramElement
di:BPMNEdge BPMNEdge ddi:DiagramElement
import tImport
extension tExtension
documentation tDocumentation
extensionElements tExtensionElements
relationship tRelationship
text tText
script tScript
auditing tBaseElement
monitoring tBaseElement
rendering tBaseElement
expression tExpression
formalExpression tFormalExpression expression
process tProcess rootElement
startEvent tStartEvent flowElement
endEvent tThrowEvent flowElement
intermediateCatchEvent tCatchEvent flowElement
intermediateThrowEvent tThrowEvent flowElement
implicitThrowEvent tThrowEvent flowElement
boundaryEvent tBoundaryEvent flowElement
task tActivity flowElement
manualTask tActivity flowElement
serviceTask tServiceTask flowElement
sendTask tSendTask flowElement
receiveTask tReceiveTask flowElement
scriptTask tScriptTask flowElement
userTask tUserTask flowElement
businessRuleTask tBusinessRuleTask flowElement
callActivity tCallActivity flowElement
subProcess tSubProcess flowElement
adHocSubProcess tAdHocSubProcess flowElement
transaction tTransaction flowElement
exclusiveGateway tDefaultGateway flowElement
inclusiveGateway tDefaultGateway flowElement
parallelGateway tGateway flowElement
complexGateway tComplexGateway flowElement
eventBasedGateway tEventBasedGateway flowElement
sequenceFlow tSequenceFlow flowElement
dataObject tDataObject flowElement
dataObjectReference tDataObjectReference flowElement
dataStoreReference tDataStoreReference flowElement
choreographyTask tChoreographyTask flowElement
callChoreography tCallChoreography flowElement
subChoreography tSubChoreography flowElement
dataStore tDataStore rootElement
dataState tNamed
property tProperty
dataInput tDataItem
dataOutput tDataItem
laneSet tLaneSet
lane tLane
association tAssociation artifact
group tGroup artifact
textAnnotation tTextAnnotation artifact
message tMessage rootElement
signal tSignal rootElement
error tError rootElement
escalation tEscalation rootElement
itemDefinition tItemDefinition rootElement
cancelEventDefinition tBaseElement eventDefinition rootElement
compensateEventDefinition tCompensateEventDefinition eventDefinition rootElement
conditionalEventDefinition tConditionalEventDefinition eventDefinition rootElement
errorEventDefinition tErrorEventDefinition eventDefinition rootElement
escalationEventDefinition tEscalationEventDefinition eventDefinition rootElement
linkEventDefinition tLinkEventDefinition eventDefinition rootElement
messageEventDefinition tMessageEventDefinition eventDefinition rootElement
signalEventDefinition tSignalEventDefinition eventDefinition rootElement
terminateEventDefinition tBaseElement eventDefinition rootElement
timerEventDefinition tTimerEventDefinition eventDefinition rootElement
standardLoopCharacteristics tStandardLoopCharacteristics loopCharacteristics
multiInstanceLoopCharacteristics tMultiInstanceLoopCharacteristics loopCharacteristics
complexBehaviorDefinition tComplexBehaviorDefinition
ioSpecification tInputOutputSpecification
ioBinding tInputOutputBinding
inputSet tInputSet
outputSet tOutputSet
dataInputAssociation tDataAssociation
dataOutputAssociation tDataAssociation
assignment tAssignment
resourceRole tResourceRole
performer tResourceRole resourceRole
humanPerformer tResourceRole resourceRole
potentialOwner tResourceRole resourceRole
resourceAssignmentExpression tResourceAssignmentExpression
resourceParameterBinding tResourceParameterBinding
resource tResource rootElement
resourceParameter tResourceParameter
interface tInterface rootElement
operation tOperation
endPoint tBaseElement rootElement
correlationProperty tCorrelationProperty rootElement
correlationPropertyRetrievalExpression tCorrelationPropertyRetrievalExpression
correlationKey tCorrelationKey
correlationSubscription tCorrelationSubscription
correlationPropertyBinding tCorrelationPropertyBinding
category tCategory rootElement
categoryValue tCategoryValue
collaboration tCollaboration rootElement
choreography tChoreography rootElement
globalConversation tCollaboration rootElement
globalChoreographyTask tGlobalChoreographyTask rootElement
participant tParticipant
participantMultiplicity tParticipantMultiplicity
messageFlow tMessageFlow
participantAssociation tParticipantAssociation
messageFlowAssociation tMessageFlowAssociation
conversationAssociation tConversationAssociation
conversationLink tConversationLink
conversation tConversationNode conversationNode
subConversation tSubConversation conversationNode
callConversation tCallConversation conversationNode
globalTask tGlobalTask rootElement
globalManualTask tGlobalTask rootElement
globalUserTask tGlobalUserTask rootElement
globalScriptTask tGlobalScriptTask rootElement
globalBusinessRuleTask tGlobalBusinessRuleTask rootElement
partnerEntity tPartner rootElement
partnerRole tPartner rootElement
`
